from django.urls import include, path

urlpatterns = [
    path("", include("autoscaler_django.urls")),
    path("old/", include("heroku_web_autoscale.urls", namespace="heroku_web_autoscale")),
]
