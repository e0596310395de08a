"""Where the views are: `path("", include("autoscaler_django.urls"))`."""

from django.urls import path

from . import views

app_name = "autoscaler_django"
urlpatterns = [
    path("heroku-autoscale/measurement/", views.measurement, name="measurement"),
    path("heroku-autoscale/queue-time/", views.queue_time, name="queue_time"),
]
