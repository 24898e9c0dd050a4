"""Names of queues and tasks that the backend and the workers share."""

PHOTOS_QUEUE = "photos"
UPKEEP_QUEUE = "upkeep"

ANALYZE_PHOTO = "analyse_photo"
