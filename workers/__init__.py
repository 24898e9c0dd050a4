"""Celery workers. A worker is a Django process without the web, so Django is set up before any module of it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
django.setup()
