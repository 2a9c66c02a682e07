"""The part of the API that needs a token: for installed apps, and for partners.

Beside the anonymous catalogue, not around it: nothing here is run for a reader without a token.
"""
