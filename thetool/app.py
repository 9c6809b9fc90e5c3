"""create_app() joins the rooms; this is the only file that knows them all."""

from __future__ import annotations

from apiflask import APIFlask

from thetool import gpu
from thetool.access import health_routes, setup
from thetool.access import routes as access_routes
from thetool.analyze import jobs as analyze_jobs  # noqa: F401  registers its kinds of job
from thetool.analyze import retention as analyze_retention
from thetool.analyze import routes as analyze_routes
from thetool.batch import routes as batch_routes
from thetool.config import Settings, get_settings
from thetool.database import connection
from thetool.jobs import health as jobs_health
from thetool.jobs import routes as jobs_routes
from thetool.jobs.events import routes as events_routes
from thetool.jobs.groups import routes as batches_routes
from thetool.jobs.schedules import routes as schedules_routes
from thetool.jobs.schedules.cleanup import sweep
from thetool.jobs.webhooks import routes as webhooks_routes
from thetool.pages import routes as pages_routes
from thetool.restyle import retention as restyle_retention
from thetool.restyle import routes as restyle_routes
from thetool.restyle.styles import styles
from thetool.serving import history_routes, kserve_routes, model_routes, predict_routes, version_routes
from thetool.serving import job_routes as prediction_job_routes
from thetool.serving import retention as serving_retention
from thetool.storage import health as storage_health
from thetool.storage import routes as storage_routes
from thetool.storage import sweep as storage_sweep
from thetool.telemetry.logs import configure_logging
from thetool.web.api import create_api
from thetool.weights import routes as weights_routes


def create_app(settings: Settings | None = None) -> APIFlask:
    """Build the application. Starts no thread and opens no connection: the gunicorn worker does, after its fork."""
    settings = settings or get_settings()
    configure_logging(settings)
    styles(settings)  # a file of them that cannot be read ends the start, like any wrong setting
    app = create_api(settings)
    connection.init_app(app, settings)
    setup.init_app(app, settings)
    for routes in (
        health_routes,
        access_routes,
        storage_routes,
        jobs_routes,
        batches_routes,
        events_routes,
        schedules_routes,
        webhooks_routes,
        weights_routes,
        model_routes,
        version_routes,
        predict_routes,
        history_routes,
        kserve_routes,
        prediction_job_routes,
        batch_routes,
        analyze_routes,
        restyle_routes,
        pages_routes,
    ):
        app.register_blueprint(routes.blueprint)
    storage_health.register()
    jobs_health.register()
    gpu.register()
    analyze_retention.register()
    serving_retention.register()
    restyle_retention.register()
    # The last one: what the others say has expired goes in the same cleanup.
    sweep("files", due=lambda _: storage_sweep.due(), remove=lambda _: storage_sweep.sweep_batch())
    return app
