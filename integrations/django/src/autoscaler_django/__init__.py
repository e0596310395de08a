"""The Django side of autoscaler: a measurement view, the worker under manage.py, request queue times.

    INSTALLED_APPS += ["autoscaler_django"]
    urlpatterns += [path("", include("autoscaler_django.urls"))]
"""
