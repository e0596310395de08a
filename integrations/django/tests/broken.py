"""Caches that are out of order."""

from django.core.cache.backends.locmem import LocMemCache


class Away(LocMemCache):
    """Not there."""

    def set(self, *args, **kwargs):
        raise ConnectionError("no route to the cache")


class Forgetful(LocMemCache):
    """Full, as a memcached that drops what it is given."""

    def set(self, *args, **kwargs):
        pass


class Counting(LocMemCache):
    """Tells what was done to it."""

    told = []

    def set(self, *args, **kwargs):
        self.told.append("set")
        return super().set(*args, **kwargs)

    def get(self, *args, **kwargs):
        self.told.append("get")
        return super().get(*args, **kwargs)

    def delete(self, *args, **kwargs):
        self.told.append("delete")
        return super().delete(*args, **kwargs)
