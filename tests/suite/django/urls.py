"""The measurement view, and one of the shop's own that is slow while there is load."""

import time

from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path


def custom(request):
    time.sleep(1.1 if (settings.DATA / "busy").exists() else 0)
    return HttpResponse("ok")


urlpatterns = [
    path("my-custom-measurement/", custom),
    path("", include("autoscaler_django.urls")),
]
