/** Templates over SQLite. */
import type Database from "better-sqlite3";
import type { Template, TemplateBody, TemplateSummary } from "../../../../shared/template.ts";
import type { Put, SentWith, TemplateTable } from "../../engine/ledger.ts";
import { kindOf, toldTemplate } from "../../json/templateJson.ts";

const prepareAll = (db: Database.Database) => ({
  get: db.prepare(
    "SELECT body, created_at, updated_at AS at, updated_by AS by FROM coordination_templates WHERE name = ?",
  ),
  names: db.prepare("SELECT name FROM coordination_templates ORDER BY name").pluck(),
  count: db.prepare("SELECT count(*) FROM coordination_templates").pluck(),
  list: db.prepare(
    "SELECT name, kind, description, created_at, updated_at, updated_by FROM coordination_templates ORDER BY name",
  ),
  put: db.prepare(
    `INSERT INTO coordination_templates (name, kind, description, created_at, updated_at, updated_by, body)
       VALUES (:name, :kind, :description, :at, :at, :by, :body)
       ON CONFLICT DO UPDATE SET kind = excluded.kind, description = excluded.description,
       updated_at = excluded.updated_at, updated_by = excluded.updated_by, body = excluded.body`,
  ),
  remove: db.prepare("DELETE FROM coordination_templates WHERE name = ?"),
  rememberSent: db.prepare("INSERT INTO coordination_template_keys (sender, key, sent) VALUES (?, ?, ?)"),
  sentWith: db.prepare("SELECT sent FROM coordination_template_keys WHERE sender = ? AND key = ?").pluck(),
});

export class SqliteTemplates implements TemplateTable {
  readonly #sql: ReturnType<typeof prepareAll>;

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  get(name: string): Template | undefined {
    const row = this.#sql.get.get(name) as (Put & { body: string; created_at: string }) | undefined;
    return row && toldTemplate(name, JSON.parse(row.body) as TemplateBody, row.created_at, row);
  }

  names(): string[] {
    return this.#sql.names.all() as string[];
  }

  count(): number {
    return this.#sql.count.get() as number;
  }

  list(): TemplateSummary[] {
    const rows = this.#sql.list.all() as Record<keyof TemplateSummary, string | null>[];
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, v]) => v !== null)) as TemplateSummary);
  }

  put(name: string, body: TemplateBody, { at, by }: Put): void {
    const { description = null } = body;
    this.#sql.put.run({ name, kind: kindOf(body), description, at, by, body: JSON.stringify(body) });
  }

  remove(name: string): boolean {
    return this.#sql.remove.run(name).changes === 1;
  }

  rememberSent(sender: string, key: string, sent: SentWith): void {
    this.#sql.rememberSent.run(sender, key, JSON.stringify(sent));
  }

  sentWith(sender: string, key: string): SentWith | undefined {
    const sent = this.#sql.sentWith.get(sender, key) as string | undefined;
    return sent === undefined ? undefined : (JSON.parse(sent) as SentWith);
  }
}
