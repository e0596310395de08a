AUTOSCALE_SETTINGS = {
    'web': {
        'MEASUREMENT': {
            'BACKEND': 'heroku_web_autoscale.backends.measurement.ResponseTimeBackend',
            'SETTINGS': {
                'MIN_TIME_MS': 500,
                'MAX_TIME_MS': 1000,
                'MEASUREMENT_URL' = "/my-custom-measurement/",
                'MEASUREMENT_INTERVAL_IN_SECONDS': 30,
            }
        },
        'DECISION': {
            'BACKEND': 'heroku_web_autoscale.backends.decision.ConsecutiveThresholdBackend',
            'SETTINGS': {
                'POST_SCALE_WAIT_TIME_SECONDS': 60,
            }
        },
        'SCALING' : {
            'BACKEND': 'heroku_web_autoscale.backends.scaling.HerokuBackend'
            'SETTINGS': {
                'APP_NAME': 'dancing-forest-1234',
                'API_KEY': 'abcdef1234567890abcdef12',
            }
        }
        'NOTIFICATION': {
            'BACKENDS': [
                'heroku_web_autoscale.backends.notification.DjangoEmailBackend',
                'heroku_web_autoscale.backends.notification.ConsoleBackend',
            ],
            'SETTINGS': {},
        }
    },
    'celery': {
        'MEASUREMENT': {
            'BACKEND': 'heroku_web_autoscale.backends.measurement.CeleryRedisQueueSizeBackend',
        },
        'DECISION': {
            'BACKEND': 'heroku_web_autoscale.backends.decision.AverageThresholdBackend',
        },
        'SCALING' : {
            'BACKEND': 'heroku_web_autoscale.backends.scaling.HerokuBackend'
            'SETTINGS': {
                'APP_NAME': 'dancing-forest-1234',
                'API_KEY': 'abcdef1234567890abcdef12',
            }
        }
        'NOTIFICATION': {
            'BACKENDS': [
                'heroku_web_autoscale.backends.notification.LoggerBackend',
            ],
        }
    },
}
