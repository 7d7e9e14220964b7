"use client";

import { useId, useMemo, useState } from "react";
import type { Token, Tokens } from "marked";
import { Block } from "./block";
import { NoteScope } from "./note-mark";
import { BlockReader } from "./reader";

/** An answer stands under the heading of its message, which is an h2. */
const FIRST_LEVEL = 3;

/** The level of each block's heading, without gaps however the answer numbers its own. */
function outlineLevels(blocks: readonly Token[]): number[] {
  const above: number[] = [];
  return blocks.map((block) => {
    if (block.type !== "heading") return FIRST_LEVEL + above.length;
    const { depth } = block as Tokens.Heading;
    while (above.length > 0 && (above.at(-1) ?? 0) >= depth) above.pop();
    above.push(depth);
    return FIRST_LEVEL - 1 + above.length;
  });
}

export default function Answer({ text, streaming }: { text: string; streaming: boolean }) {
  const [reader] = useState(() => new BlockReader());
  const { settled, tail } = useMemo(() => reader.read(text, streaming), [reader, text, streaming]);
  const blocks = [...settled, ...tail];
  const levels = outlineLevels(blocks);
  return (
    <NoteScope value={useId()}>
      {blocks.map((token, index) => (
        <Block
          key={index}
          token={token}
          level={levels[index] ?? FIRST_LEVEL}
          open={streaming && index === blocks.length - 1}
        />
      ))}
    </NoteScope>
  );
}
