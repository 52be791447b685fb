"""Where the demo shop answers."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path
from django.views.generic import RedirectView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from demo_shop.views import account, basket, checkout, information, privacy, shelves

handler404 = information.missing

urlpatterns = [
    path("", shelves.home, name="home"),
    path("shop/", shelves.listing, name="listing"),
    path("shop/<slug:department>/", shelves.listing, name="listing"),
    path("shop/<slug:department>/<slug:category>/", shelves.listing, name="listing"),
    path("search/", shelves.search, name="search"),
    path("product/<slug:slug>/", shelves.product, name="product"),
    path("basket/", basket.basket, name="basket"),
    path("basket/<int:number>/change/", basket.change, name="basket_change"),
    path("basket/<int:number>/remove/", basket.remove, name="basket_remove"),
    path("checkout/address/", checkout.address, name="checkout_address"),
    path("checkout/payment/", checkout.payment, name="checkout_payment"),
    path("checkout/review/", checkout.review, name="checkout_review"),
    path("checkout/thank-you/<str:number>/", checkout.confirmation, name="confirmation"),
    path("sign-in/", account.sign_in, name="sign_in"),
    path("sign-out/", account.sign_out, name="sign_out"),
    path("register/", account.register, name="register"),
    path("account/", account.account, name="account"),
    path("account/orders/<str:number>/", account.order, name="order"),
    path("information/<slug:topic>/", information.information, name="information"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("pictures/<slug:department>/<slug:shape>/<int:number>.svg", information.picture, name="picture"),
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.lstrip('/')}shop/mark.svg")),
    path("admin/", admin.site.urls),
    path("intent/", include("purchase_intent.urls")),
    path("api/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token_refresh"),
    # The demo has no web server before it: its style sheet comes from here, whether DEBUG is on or not.
    path("static/<path:path>", serve, {"insecure": True}),
]
