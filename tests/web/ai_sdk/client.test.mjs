// The genuine client of the AI SDK (`AbstractChat`, which its hooks for every framework are made of, over
// `DefaultChatTransport`) in conversations with a running stack: SITE and COOKIE say where, and who asks. The model
// behind it does what a question says in double brackets. Nothing is set but what a browser sends by itself, and the
// ids that the contract asks for.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const packages = createRequire(new URL("../../../web/package.json", import.meta.url));
const { AbstractChat, DefaultChatTransport } = await import(pathToFileURL(packages.resolve("ai")));

const { SITE, COOKIE } = process.env;
const api = `${SITE}/api/messages`;
const headers = { cookie: COOKIE, origin: SITE };
const generateId = () => crypto.randomUUID();

/** The state of a page, without a framework to show it. */
class State {
  status = "ready";
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => void (this.messages = [...this.messages, message]);
  popMessage = () => void (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => void (this.messages = this.messages.with(index, message));
  snapshot = structuredClone;
}

class Chat extends AbstractChat {
  titles = [];
  constructor(id = generateId(), messages = []) {
    super({
      id,
      generateId,
      transport: new DefaultChatTransport({ api, headers }),
      state: new State(messages),
      onData: ({ type, data }) => type === "data-title" && this.titles.push(data.title),
    });
  }
  /** What there is of the newest answer. */
  get text() {
    const last = this.lastMessage;
    return last?.role === "assistant" ? textOf(last) : "";
  }
  /** Wait for something about this conversation to hold. */
  async until(holds) {
    for (const end = Date.now() + 20_000; !holds(this); await new Promise((next) => setTimeout(next, 10)))
      assert(Date.now() < end, `waited in vain: ${this.status} ${this.text}`);
  }
}

const textOf = ({ parts }) => parts.filter(({ type }) => type === "text").map(({ text }) => text).join("");

async function history(id) {
  const response = await fetch(`${SITE}/api/conversations/${id}`, { headers });
  return response.json();
}

test("asks and is answered, with the metadata and the title", async () => {
  const chat = new Chat();
  await chat.sendMessage({ text: "What is a week?" });
  assert.equal(chat.error, undefined);
  assert.equal(chat.status, "ready");
  assert.match(chat.text, /^You said: What is a week\?/);
  const { title, messages } = await history(chat.id);
  assert.deepEqual(chat.messages.map(({ id }) => id), messages.map(({ id }) => id));
  assert.equal(chat.text, messages[1].text);
  const { status, model, created_at, expires_at } = messages[1];
  assert.deepEqual(chat.lastMessage.metadata, { status, model, created_at, expires_at });
  assert.equal(chat.titles.at(-1), title);
  assert(chat.messages.every(({ parts }) => parts.every(({ type }) => type !== "data-title")));
});

test("goes on in the same conversation", async () => {
  const chat = new Chat();
  await chat.sendMessage({ text: "One" });
  await chat.sendMessage({ text: "Two" });
  assert.equal(chat.error, undefined);
  assert.match(chat.text, /^You said: Two/);
  assert.equal((await history(chat.id)).messages.length, 4);
});

test("resumes after a reload, from the start and to the end", async () => {
  const closed = new Chat();
  void closed.sendMessage({ text: "[[rate=30 words=60]] Go on" });
  await closed.until(({ text }) => text.split(" ").length > 5);
  await closed.stop(); // the page goes; to the SDK that is what stopping means

  const stored = (await history(closed.id)).messages.slice(0, 1);
  const reloaded = new Chat(closed.id, stored.map(({ id, role, text }) => ({ id, role, parts: [{ type: "text", text }] })));
  const resumed = reloaded.resumeStream();
  await reloaded.until(({ status }) => status === "streaming");
  await resumed;
  assert.equal(reloaded.error, undefined);
  const answer = (await history(closed.id)).messages[1];
  assert.equal(answer.status, "complete");
  assert.equal(reloaded.text, answer.text);
  assert.equal(reloaded.lastMessage.id, answer.id);
  assert.equal(answer.text.split(" ").length, 60);
});

test("finds nothing to resume when nothing is being written", async () => {
  const chat = new Chat();
  await chat.sendMessage({ text: "Hello" });
  const before = chat.messages;
  await chat.resumeStream();
  assert.equal(chat.error, undefined);
  assert.equal(chat.status, "ready");
  assert.deepEqual(chat.messages, before);
});

test("ends as stopped when the answer is stopped", async () => {
  const chat = new Chat();
  const asked = chat.sendMessage({ text: "[[rate=20 words=400]] Go on" });
  await chat.until(({ text }) => text !== "");
  const { status } = await fetch(`${api}/${chat.id}/stop`, { method: "POST", headers });
  assert.equal(status, 202);
  await asked;
  assert.equal(chat.error, undefined);
  assert.equal(chat.status, "ready");
  assert.equal(chat.lastMessage.metadata.status, "stopped");
});

test("is told of a failure, and answers again after it", async () => {
  const chat = new Chat();
  await chat.sendMessage({ text: "[[cut=4]] Fail" });
  assert.equal(chat.status, "error");
  assert.equal(chat.error.message, (await history(chat.id)).messages[1].error);
  await chat.regenerate();
  assert.equal((await history(chat.id)).messages.length, 3);
  assert.equal(chat.status, "error");
});

test("answers again beside the first answer", async () => {
  const chat = new Chat();
  await chat.sendMessage({ text: "Once more" });
  const first = chat.lastMessage.id;
  await chat.regenerate({ messageId: first });
  assert.equal(chat.error, undefined);
  assert.notEqual(chat.lastMessage.id, first);
  const [question, ...answers] = (await history(chat.id)).messages;
  assert.deepEqual(answers.map(({ id, parent_id }) => [id, parent_id]), [[first, question.id], [chat.lastMessage.id, question.id]]);
});

test("is refused in words", async () => {
  const chat = new Chat("not-a-uuid");
  await chat.sendMessage({ text: "Hello" });
  assert.equal(chat.status, "error");
  const problem = JSON.parse(chat.error.message);
  assert.deepEqual([problem.status, problem.field], [422, "id"]);
});
