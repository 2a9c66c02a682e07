"""Courses: lessons, quizzes, attempts."""
