/** For whoever watches over the process: alive, able to commit, and its metrics. */
import express, { type Router } from "express";
import type { Registry } from "prom-client";
import { explain, guarded } from "./edge.ts";
import type { RouterOptions } from "./router.ts";

export function makeProbes({ hub, guard, report }: RouterOptions, metrics: Registry): Router {
  const router = express.Router();
  router.use(["/healthz", "/readyz", "/metrics"], guarded(guard));
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
  router.use(explain(hub, report));
  return router;
}
