// Gives the pages for addresses that lead nowhere the font's preload, which Next gives to all others alone. Without it
// the font, which no page waits for, comes too late to be taken.
import { readFile, writeFile } from "node:fs/promises";
import { pages } from "./pages.mjs";

const PRELOAD = /<link rel="preload"[^>]* as="font"[^>]*>/;

const preload = PRELOAD.exec(await readFile("out/index.html", "utf8"))?.[0];
if (!preload) throw new Error("no font is preloaded in out/index.html: has the export changed its form?");
for (const page of await pages()) {
  const html = await readFile(page, "utf8");
  if (!PRELOAD.test(html)) await writeFile(page, html.replace("</head>", `${preload}</head>`));
}
