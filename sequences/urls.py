from django.urls import path

from sequences import views

urlpatterns = [
    path("u/<str:token>", views.unsubscribe_page, name="unsubscribe"),
    path("c/<str:token>", views.follow_link, name="clicked"),
    path("o/<str:token>.gif", views.picture, name="opened"),
]
