/** For whoever watches over the process: alive, able to commit, and its metrics. */
import express, { type Router } from "express";
import type { Registry } from "prom-client";
import type { Hub } from "../../hub/hub.ts";

export function makeProbes(hub: Hub, metrics: Registry): Router {
  const router = express.Router();
  router.get("/healthz", (_request, response) => {
    response.json({ status: "alive" });
  });
  router.get("/readyz", async (_request, response) => {
    try {
      if (hub.closing.cancelled) throw new Error("the hub is shutting down");
      await hub.submit({ op: "probe" });
      response.json({ status: "ready" });
    } catch (error) {
      response.status(503).json({ status: "not ready", reason: (error as Error).message });
    }
  });
  router.get("/metrics", async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.metrics());
  });
  return router;
}
