import { describe, expect, it } from "vitest";
import { closeTail } from "@/markdown/tail";

describe("what an unfinished answer leaves open is closed", () => {
  it.each([
    ["a **bol", "a **bol**"],
    ["a **bold*", "a **bold**"],
    ["a **bold**", "a **bold**"],
    ["***x", "***x***"],
    ["**a *b", "**a *b***"],
    ["これは**「強調", "これは**「強調**"],
    ["~~del", "~~del~~"],
    ["a `b` c `d", "a `b` c `d`"],
    ["``a`", "``a``"],
    ["**bold `code", "**bold `code`**"],
    ["- a **b\n- c *d", "- a **b\n- c *d*"],
    ["# He **l", "# He **l**"],
    ["> quote **b", "> quote **b**"],
    ["| a |\n|---|\n| **1", "| a |\n|---|\n| **1**"],
  ])("%j → %j", (open, closed) => expect(closeTail(open)).toBe(closed));
});

describe("a link or picture whose address is still being written is its words", () => {
  it.each([
    ["see [te", "see te"],
    ["see [text]", "see text"],
    ["see [text](htt", "see text"],
    ["see ![ima", "see ima"],
    ["see [text](https://a.test) and", "see [text](https://a.test) and"],
    ["a [x] b", "a [x] b"],
  ])("%j → %j", (open, closed) => expect(closeTail(open)).toBe(closed));
});

describe("a table is one from its header on", () => {
  it.each([
    ["| a | b", "| a | b |\n| --- | --- |"],
    ["| a | b |\n", "| a | b |\n| --- | --- |"],
    ["| a | b |\n|--", "| a | b |\n| --- | --- |"],
    ["| a | b |\n|---|---|\n| 1", "| a | b |\n|---|---|\n| 1"],
  ])("%j → %j", (open, closed) => expect(closeTail(open)).toBe(closed));
});

describe("marks wait until they say what they are", () => {
  it.each([
    ["Items:\n-", "Items:"],
    ["Items:\n- ", "Items:"],
    ["Items:\n- [ ]", "Items:"],
    ["text\n==", "text"],
    ["a\n1", "a"],
    ["##", ""],
    ["a **", "a "],
    ["```py", ""],
    ["```py\ncode\n``", "```py\ncode"],
  ])("%j → %j", (open, closed) => expect(closeTail(open)).toBe(closed));
});

describe("code is left alone", () => {
  it.each(["```py\nx = **1", "- a\n  ```js\n  x **y [z", "~~~\n$x | y"])("%j", (open) => expect(closeTail(open)).toBe(open));
});

describe("a formula is its source until it is closed", () => {
  it.each([
    ["so $x^2", "so `x^2`"],
    ["so \\(a+b", "so `a+b`"],
    ["costs $5 and", "costs $5 and"],
  ])("%j → %j", (open, closed) => expect(closeTail(open)).toBe(closed));
});
