from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.operations.invariants import EXAMPLES, invariants_check


class Command(BaseCommand):
    help = (
        "Check what no fault may break: complete results, photos in step with rows, nothing kept past its time, erased "
        "means gone. Exits with 1 if something is violated. The upkeep worker does the same every hour, with --repair."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="also delete what should be gone; anything else is left to you"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        violated = 0
        for checked in invariants_check(repair=options["repair"]):
            invariant, violations = checked.invariant, checked.violations
            if not violations:
                self.stdout.write(f"ok        {invariant.name}: {invariant.statement}")
                continue
            violated += 1
            state = "repaired" if checked.repaired else "VIOLATED"
            shown = ", ".join(violations[:EXAMPLES]) + (", …" if len(violations) > EXAMPLES else "")
            self.stdout.write(f"{state:<9} {invariant.name}: {invariant.statement} {len(violations)} do not: {shown}")
        if violated:
            raise CommandError(f"{violated} invariants were violated. deploy/operating.md says what to do.")
