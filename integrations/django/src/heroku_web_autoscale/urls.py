"""`include("heroku_web_autoscale.urls")`, with the namespace of old."""

from django.urls import path

from autoscaler_django import views

app_name = "heroku_web_autoscale"
urlpatterns = [
    path("heroku-autoscale/measurement/", views.measurement, name="measurement"),
]
