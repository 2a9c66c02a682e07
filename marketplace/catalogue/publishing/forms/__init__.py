"""The portal's forms: the editor's sections and the acts."""
