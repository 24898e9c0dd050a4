import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction


class Command(BaseCommand):
    help = "Create the first admin and print its name and generated password once; do nothing if there is an admin."

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        with transaction.atomic():
            if users.filter(is_superuser=True).exists():
                return
            password = secrets.token_urlsafe(15)
            admin = users.create_superuser("admin", password=password)
        self.stdout.write(f"{admin.get_username()} {password}")
