import { describe, expect, it } from "vitest";
import type { Token } from "marked";
import { BlockReader } from "@/markdown/reader";
import { parse } from "@/markdown/syntax";

const ANSWER = `# Title

A paragraph with **bold**
and a second line.

- one

  in one
- two

1. first
   \`\`\`py
   f()
   \`\`\`
2. second

> quoted
> twice

| a | b |
|---|---|
| 1 | 2 |

Under
---

$$
a
$$

\`\`\`js
x


y
\`\`\`

Text $$x$$
* l1
    * l2


    in l2

終わり。
`;

const shown = (tokens: readonly Token[]) => tokens.filter(({ type }) => type !== "space");

describe("BlockReader", () => {
  it("settles only what the whole answer will have too, at every character", () => {
    const whole = shown(parse(ANSWER));
    const reader = new BlockReader();
    for (let length = 1; length <= ANSWER.length; length += 1) {
      const settled = shown(reader.read(ANSWER.slice(0, length), true).settled);
      expect(settled, `after ${JSON.stringify(ANSWER.slice(Math.max(0, length - 20), length))}`).toEqual(
        whole.slice(0, settled.length),
      );
    }
    const { settled, tail } = reader.read(ANSWER, false);
    expect(shown([...settled, ...tail])).toEqual(whole);
    expect(settled.length).toBeGreaterThan(10);
  });

  it("keeps the identity of settled blocks", () => {
    const reader = new BlockReader();
    const [first] = reader.read("One.\n\nTwo.\n\nThr", true).settled;
    expect(first).toMatchObject({ type: "paragraph", text: "One." });
    expect(reader.read("One.\n\nTwo.\n\nThree.\n\nFour", true).settled[0]).toBe(first);
    expect(reader.read("One.\n\nTwo.\n\nThree.\n\nFour.", false).settled[0]).toBe(first);
  });

  it("begins again when the text is another one", () => {
    const reader = new BlockReader();
    reader.read("One.\n\nTwo.\n\nThree.", true);
    expect(shown(reader.read("Other.", true).settled)).toEqual([]);
  });

  it("finds the address of a link that is defined after it", () => {
    const reader = new BlockReader();
    const source = "See [it][1].\n\nMore.\n\n[1]: https://example.com/\n";
    reader.read(source, true);
    const { settled, tail } = reader.read(source, false);
    expect(JSON.stringify([...settled, ...tail])).toContain('"href":"https://example.com/"');
  });

  it("reads of a long answer only its last block again", () => {
    const text = ANSWER.repeat(Math.ceil(100_000 / ANSWER.length));
    const reader = new BlockReader();
    for (let length = 500; length < text.length; length += 500) {
      const again = reader.read(text.slice(0, length), true).tail.reduce((sum, { raw }) => sum + raw.length, 0);
      expect(again).toBeLessThan(200);
    }
  });
});
