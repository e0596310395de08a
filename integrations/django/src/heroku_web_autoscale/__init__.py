"""The app of heroku-web-autoscale under its own name: `autoscaler_django`, for those who move."""
