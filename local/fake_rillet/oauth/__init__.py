"""Rillet's OAuth 2.0 authorization server: authorization code with PKCE, refresh, revocation, registration.

The metadata document of api.rillet.com fixes the endpoints, grant types, authentication methods and scopes.
What it leaves open (lifetimes, rotation, how a person picks an organisation) is the fake's choice and says
so where it is made. Access tokens are opaque; DPoP, mutual TLS and client id metadata documents, which
Rillet supports but nowhere demands, are left out.
"""
