import { act, render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Markdown } from "@/markdown";

async function show(text: string, streaming = false): Promise<HTMLElement> {
  const { container } = await act(async () => render(<Markdown text={text} streaming={streaming} />));
  await expect.poll(() => container.querySelector(".md-plain")).toBeNull();
  return container;
}

describe("Markdown", () => {
  it("opens links in a tab that knows nothing of this one", async () => {
    await show("[site](https://example.com/a?b=1&amp;c=2) and <mailto:a@example.com>");
    const link = screen.getByRole("link", { name: "site" });
    expect(link.getAttribute("href")).toBe("https://example.com/a?b=1&c=2");
    expect(link.getAttribute("target")).toBe("_blank");
    expect(link.getAttribute("rel")).toBe("noopener noreferrer");
    expect(screen.getByRole("link", { name: "mailto:a@example.com" })).toBeTruthy();
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "/relative", "//other.test", "JaVa&#115;cript:x"])(
    "leaves [words](%s) as words",
    async (address) => {
      const page = await show(`[words](${address})`);
      expect(page.querySelector("a")).toBeNull();
      expect(page.textContent).toContain("words");
    },
  );

  it("shows a picture as a link, and loads nothing", async () => {
    const page = await show("![a cat](https://example.com/cat.png)");
    expect(page.querySelector("img")).toBeNull();
    expect(screen.getByRole("link", { name: "a cat" }).getAttribute("href")).toBe("https://example.com/cat.png");
  });

  it("leads from a mark to its footnote, in the same answer", async () => {
    const page = await show("Water[^1] boils[^b].\n\n[^1]: At 100 °C,\n    at *sea* level.\n[^b]: <b>See</b> [x](javascript:y)\n");
    const marks = [...page.querySelectorAll("sup a")];
    expect(marks.map((mark) => mark.getAttribute("aria-label"))).toEqual(["Note 1", "Note b"]);
    const notes = marks.map((mark) =>
      document.getElementById(decodeURIComponent(mark.getAttribute("href") ?? "").slice(1)),
    );
    expect(notes.map((note) => note?.textContent)).toEqual(["1 At 100 °C,at sea level.", "b <b>See</b> x"]);
    expect(page.querySelectorAll("a")).toHaveLength(2);
    const other = await show("Other[^1].\n\n[^1]: Note.");
    expect(other.querySelector("sup a")?.getAttribute("href")).not.toBe(marks[0]?.getAttribute("href"));
  });

  it("shows HTML as text and character references as characters", async () => {
    const page = await show('<img src=x onerror="alert(1)"> &amp;&#x3042; <br> `&amp;`');
    expect(page.querySelector("img")).toBeNull();
    expect(page.textContent).toBe('<img src=x onerror="alert(1)"> &あ  &amp;');
    expect(page.querySelectorAll("br")).toHaveLength(1);
  });

  it("gives headings levels without gaps, below the message's own", async () => {
    const page = await show("## A\n\n#### B\n\n# C\n\n## D\n");
    expect([...page.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((heading) => heading.tagName + heading.textContent)).toEqual(
      ["H3A", "H4B", "H3C", "H4D"],
    );
  });

  it("names the language of code and marks Japanese", async () => {
    const page = await show("これは日本語。\n\n```python title=x\nprint(1)\n```\n");
    expect(page.querySelector("figcaption > span")?.textContent).toBe("python");
    expect(page.querySelector(".md")?.getAttribute("lang")).toBe("ja");
    await expect.poll(() => page.querySelector(".hljs-built_in")?.textContent).toBe("print");
  });

  it("keeps settled blocks' elements while more text comes", async () => {
    const { container, rerender } = await act(async () => render(<Markdown text={"One.\n\nTw"} streaming />));
    await expect.poll(() => container.querySelector(".md-plain")).toBeNull();
    const first = container.querySelector("p");
    rerender(<Markdown text={"One.\n\nTwo **thr"} streaming />);
    expect(container.querySelector("p")).toBe(first);
    expect(container.querySelector("strong")?.textContent).toBe("thr");
  });

  it("shows the source of a formula that KaTeX cannot read", async () => {
    const page = await show("$\\frac{1$ and $x^2$");
    await expect.poll(() => page.querySelector(".katex")).not.toBeNull();
    expect(page.textContent).toContain("\\frac{1");
  });
});
