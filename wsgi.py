"""`gunicorn wsgi:app`, or `python wsgi.py`, which runs the same gunicorn."""

if __name__ == "__main__":
    from thetool.serve import serve

    serve()
else:
    from thetool.app import create_app

    app = create_app()
