"""Background work: Celery only wakes workers; what is to be done stands in the jobs table."""
