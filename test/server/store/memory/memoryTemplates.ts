/** Templates in memory. For tests. */

import type { Put, SentWith, TemplateTable } from "../../../../server/store/engine/ledger.ts";
import { kindOf, toldTemplate } from "../../../../server/store/json/templateJson.ts";
import type { TemplateBody } from "../../../../shared/template.ts";

interface Kept {
  body: TemplateBody;
  created_at: string;
  put: Put;
}

export class MemoryTemplates implements TemplateTable {
  readonly #kept = new Map<string, Kept>();
  readonly #sent = new Map<string, SentWith>();

  get(name: string) {
    const kept = this.#kept.get(name);
    return kept && structuredClone(toldTemplate(name, kept.body, kept.created_at, kept.put));
  }

  names() {
    return [...this.#kept.keys()].sort();
  }

  count() {
    return this.#kept.size;
  }

  list() {
    return this.names().map((name) => {
      const { body, created_at, put } = this.#kept.get(name) as Kept;
      const {
        parameters: _parameters,
        message: _message,
        steps: _steps,
        ...shown
      } = toldTemplate(name, body, created_at, put);
      return { ...shown, kind: kindOf(body) };
    });
  }

  put(name: string, body: TemplateBody, put: Put) {
    const created_at = this.#kept.get(name)?.created_at ?? put.at;
    this.#kept.set(name, { body: structuredClone(body), created_at, put });
  }

  remove(name: string) {
    return this.#kept.delete(name);
  }

  rememberSent(sender: string, key: string, sent: SentWith) {
    this.#sent.set(`${sender} ${key}`, sent);
  }

  sentWith(sender: string, key: string) {
    return this.#sent.get(`${sender} ${key}`);
  }
}
