"use client";

import mermaid from "mermaid";
import { useEffect, useId, useState } from "react";
import { useWords } from "@/i18n";
import { Code } from "./code-block";
import { useDark } from "./dark";

interface Picture {
  address: string;
  width: number;
  height: number;
}

/** What would make a diagram load something, or put an element on the page while it is measured. */
const REACHES_OUT = /\bimg\s*:|@import|\burl\s*\(|(?<!<)<(?!\/?(?:br|b|i|u|em|strong|code)\s*\/?>)[a-z!/]/i;

/**
 * The diagram as an image: inside one no script runs, nothing is loaded and no style leaks out, whatever the
 * source says. Its fonts are the system's, since an image cannot use the page's.
 */
async function draw(id: string, source: string, dark: boolean): Promise<Picture> {
  if (REACHES_OUT.test(source)) throw new Error("The diagram holds more than a diagram.");
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    layout: "dagre", // the default lays out with ELK, 440 KB more
    look: "classic", // without shadows
    theme: dark ? "dark" : "neutral",
    fontFamily: "sans-serif",
    htmlLabels: false,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- flowcharts still read their own
    flowchart: { htmlLabels: false },
  });
  const stage = document.createElement("div");
  stage.className = "md-diagram-stage"; // laid out, for it is measured, but neither seen nor heard
  stage.setAttribute("aria-hidden", "true");
  document.body.append(stage);
  try {
    const { svg } = await mermaid.render(id, source, stage);
    return picture(svg);
  } finally {
    stage.remove();
  }
}

function picture(markup: string): Picture {
  const svg = new DOMParser().parseFromString(markup, "text/html").querySelector("svg");
  if (!svg) throw new Error("Mermaid drew nothing.");
  const [, , width = 0, height = 0] = (svg.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
  svg.removeAttribute("style");
  const text = new XMLSerializer().serializeToString(svg);
  return { address: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, width, height };
}

/** A Mermaid diagram, or its source with a word about it if it cannot be drawn. */
export default function Diagram({ source }: { source: string }) {
  const words = useWords().answer;
  const dark = useDark();
  const id = `diagram-${useId().replace(/\W/g, "")}`;
  const [picture, setPicture] = useState<Picture | "failed">();

  useEffect(() => {
    let isCurrent = true;
    draw(id, source, dark).then(
      (drawn) => isCurrent && setPicture(drawn),
      () => isCurrent && setPicture("failed"),
    );
    return () => {
      isCurrent = false;
    };
  }, [id, source, dark]);

  if (picture === "failed") {
    return (
      <>
        <p className="md-code-note">{words.diagramFailed}</p>
        <Code code={source} />
      </>
    );
  }
  if (!picture) return <Code code={source} />;
  const { address, width, height } = picture;
  return <img className="md-diagram" src={address} width={width} height={height} alt={`${words.diagram}: ${source}`} />;
}
