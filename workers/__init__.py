"""Celery workers. They use Django's models, so Django is set up before their modules are imported."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
django.setup()
