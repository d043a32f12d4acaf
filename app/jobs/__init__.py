"""The Jobs page: every job, filtered; cancel, retry, dismiss."""
