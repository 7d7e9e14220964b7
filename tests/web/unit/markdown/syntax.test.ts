import { describe, expect, it } from "vitest";
import type { Token, Tokens } from "marked";
import { parse } from "@/markdown/syntax";

/** A one-line picture of what was understood: `これは<strong>強調</strong>です`. */
function picture(tokens: readonly Token[] = []): string {
  return (tokens as Tokens.Generic[])
    .map((token) => {
      if (token.type === "math") return `{${token.tex}}`;
      if (token.type === "link") return `<a ${token.href}>${picture(token.tokens)}</a>`;
      if (token.type === "br") return "<br>";
      if (token.type === "paragraph" || (token.type === "text" && token.tokens)) return picture(token.tokens);
      if (token.type === "text" || token.type === "codespan") return token.text;
      return `<${token.type}>${picture(token.tokens)}</${token.type}>`;
    })
    .join("");
}

const read = (source: string) => picture(parse(source));

describe("emphasis beside Chinese, Japanese and Korean", () => {
  it.each([
    ["これは**「強調」**です", "これは<strong>「強調」</strong>です"],
    ["これは**強調。**次", "これは<strong>強調。</strong>次"],
    ["**例：**「これ」", "<strong>例：</strong>「これ」"],
    ["太字**(括弧)**です", "太字<strong>(括弧)</strong>です"],
    ["太字**(bracket)**です", "太字<strong>(bracket)</strong>です"],
    ["*「傍点」*です*次*", "<em>「傍点」</em>です<em>次</em>"],
    ["***太字斜体***です", "<em><strong>太字斜体</strong></em>です"],
    ["これは~~「消す」~~です", "これは<del>「消す」</del>です"],
    ["한국어**(강조)**입니다", "한국어<strong>(강조)</strong>입니다"],
    ["中文**“强调”**文字", "中文<strong>“强调”</strong>文字"],
    ["**この文（Can I emphasize this）？**残念", "<strong>この文（Can I emphasize this）？</strong>残念"],
  ])("reads %s", (source, expected) => expect(read(source)).toBe(expected));
});

describe("emphasis elsewhere stays as CommonMark has it", () => {
  it.each([
    ["a**b**c **d** *e*", "a<strong>b</strong>c <strong>d</strong> <em>e</em>"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    ["snake_case_name", "snake_case_name"],
    ['a**"b"**c', 'a**"b"**c'],
    ["10~20 and 30~40", "10~20 and 30~40"],
  ])("reads %s", (source, expected) => expect(read(source)).toBe(expected));
});

describe("mathematics", () => {
  it.each([
    ["$x^2$ and \\(a+b\\)", "{x^2} and {a+b}"],
    ["$$\nx\n$$", "{x}"],
    ["\\[\nx\n\\]", "{x}"],
    ["so $$x$$ it is", "so {x} it is"],
    ["$5 and $10", "$5 and $10"],
    ["costs $5, $ 6 and 7$", "costs $5, $ 6 and 7$"],
  ])("reads %s", (source, expected) => expect(read(source)).toBe(expected));

  it("does not swallow what follows an unclosed formula", () => {
    expect(parse("$$\nx\n\nA paragraph.").map(({ type }) => type)).toEqual(["math", "space", "paragraph"]);
  });
});

describe("addresses in Japanese text", () => {
  it("end where Japanese goes on", () => {
    expect(read("https://example.com/aを見て（https://a.test/b?c=d）。")).toBe(
      "<a https://example.com/a>https://example.com/a</a>を見て（<a https://a.test/b?c=d>https://a.test/b?c=d</a>）。",
    );
  });
});

describe("HTML", () => {
  it("is text, inline and as a block, with the Markdown in it still read", () => {
    expect(read("a <b onclick=x>c</b>")).toBe("a <b onclick=x>c</b>");
    expect(read("<div>\n**b**\n</div>")).toBe("<div><br><strong>b</strong><br></div>");
    expect(parse("<script>alert(1)</script>").some(({ type }) => type === "html")).toBe(false);
  });

  it("breaks a line in a cell where a model writes <br>", () => expect(read("a<br/>b")).toBe("a<br>b"));
});
