from django.urls import path

from sequences import views

urlpatterns = [path("<str:token>", views.unsubscribe_page, name="unsubscribe")]
