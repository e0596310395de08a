"""Where the measurement view is, and a view that decides."""

from django.urls import path
from site_app.views import decision, measurement

urlpatterns = [
    path("heroku-autoscale/measurement/", measurement),
    path("measurement", decision),
]
