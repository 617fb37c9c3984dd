"""The panel: pages for people, at one address of the deployment.

The panel decides nothing. Every page shows the answer of a function, and every button sends one event that a
person could also send with ``aws lambda invoke``; the page shows that command.

::

    entrance.py      the way in and out, and the choice of a connection
    application.py   an HTTP event becomes an answer: session, role, origin, token, one use of a form
    pages/           one module for each page of the menu: its routes and what its template shows
    templates/       Jinja2; every value is escaped
    static/          the stylesheet and htmx, served under names that hold the hash of their content
    sign_in.py       one-time links; sessions.py keeps who is signed in
    functions.py     invokes the other functions; the same event makes the printed command
    activity.py      who did what
"""
