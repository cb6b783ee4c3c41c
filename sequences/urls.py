from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from sequences import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("u/<str:token>", views.unsubscribe_page, name="unsubscribe"),
    path("c/<str:token>", views.follow_link, name="clicked"),
    path("o/<str:token>.gif", views.open_pixel, name="opened"),
]
if settings.ANYMAIL:  # without its secret any sender could pose as the provider
    urlpatterns.append(path("webhooks/mail/", include("anymail.urls")))
