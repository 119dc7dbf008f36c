/** Templates: messages kept under a name. */
import type { TEMPLATE_OPERATIONS } from "../../../shared/operations/templates.ts";
import { noTemplate } from "../../../shared/refusals.ts";
import { answerOf, callerOf, type Handlers } from "./handler.ts";

export const TEMPLATES: Handlers<keyof typeof TEMPLATE_OPERATIONS> = {
  async template_put(hub, { name, ...body }, client) {
    return answerOf(await hub.submit({ op: "template_put", caller: callerOf(hub, client), name, body }));
  },

  async template_get(hub, { name }) {
    const template = await hub.store.template(name);
    if (template !== null) return { value: template };
    const known = (await hub.store.templates()).map((one) => one.name);
    throw noTemplate(name, known);
  },

  async template_list(hub) {
    const templates = await hub.store.templates();
    return { parts: { templates: JSON.stringify(templates), count: `${templates.length}` } };
  },

  async template_delete(hub, { name }) {
    await hub.submit({ op: "template_delete", name });
    return { parts: { name: JSON.stringify(name), deleted: "true" } };
  },
};
