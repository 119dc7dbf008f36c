/** State and log fit together (I5), also where a list takes several steps and the log goes on in between. */
import { expect, test } from "vitest";
import { parseCursor } from "../../shared/cursor.ts";
import { startHub } from "../support/hub.ts";
import { RawSocket } from "../support/rawSocket.ts";

/** Rows that each list of chats looks through: several steps. */
const [TASKS, BATCH] = [2_500, 500];
/** How many lists must have been overtaken by a chat, so that the test says something. */
const OVERTAKEN = 3;

test("a list holds everything that its cursor covers, whatever was sent while it was read", async () => {
  const { wsUrl } = await startHub();
  const [reader, writer] = [await RawSocket.greet(wsUrl), await RawSocket.greet(wsUrl)];
  const task = { from_claude: "ada", to_claude: "bob", task: "in the way" };
  for (let sent = 0; sent < TASKS; sent += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, i) => `t${sent + i}`);
    writer.send(ids.map((id) => ({ jsonrpc: "2.0", id, method: "send", params: task })));
    await writer.answer(ids.at(-1) as string);
  }

  const chats: { id: string; seq: number }[] = [];
  let overtaken = 0;
  while (overtaken < OVERTAKEN) {
    let isReading = true;
    const listed = reader.call("list", { type: "chat", limit: 500 }).finally(() => {
      isReading = false;
    });
    while (isReading) {
      const { message } = await writer.call("send", {
        from_claude: "cyd",
        to_claude: "dan",
        task: "new",
        type: "chat",
      });
      chats.push({ id: message.id, seq: message.seq as number });
    }
    const { messages, cursor } = await listed;
    const { seq } = parseCursor(cursor);
    const covered = chats.filter((chat) => chat.seq <= seq);
    expect(messages.map(({ id }) => id)).toEqual(covered.map(({ id }) => id));
    if (covered.length < chats.length - 1) overtaken++; // the last one may have come after the answer
  }
});
