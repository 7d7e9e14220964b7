/**
 * The programming languages that are highlighted, each a file of its own that is loaded when an answer first
 * needs it. A name that is not here is shown without colours.
 */
import type { HLJSApi, LanguageFn } from "highlight.js";

type Loader = () => Promise<{ default: LanguageFn }>;

const LOADERS: Record<string, Loader> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  dart: () => import("highlight.js/lib/languages/dart"),
  diff: () => import("highlight.js/lib/languages/diff"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  elixir: () => import("highlight.js/lib/languages/elixir"),
  go: () => import("highlight.js/lib/languages/go"),
  graphql: () => import("highlight.js/lib/languages/graphql"),
  haskell: () => import("highlight.js/lib/languages/haskell"),
  http: () => import("highlight.js/lib/languages/http"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  latex: () => import("highlight.js/lib/languages/latex"),
  lua: () => import("highlight.js/lib/languages/lua"),
  makefile: () => import("highlight.js/lib/languages/makefile"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  nginx: () => import("highlight.js/lib/languages/nginx"),
  nix: () => import("highlight.js/lib/languages/nix"),
  perl: () => import("highlight.js/lib/languages/perl"),
  php: () => import("highlight.js/lib/languages/php"),
  powershell: () => import("highlight.js/lib/languages/powershell"),
  protobuf: () => import("highlight.js/lib/languages/protobuf"),
  python: () => import("highlight.js/lib/languages/python"),
  r: () => import("highlight.js/lib/languages/r"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  scala: () => import("highlight.js/lib/languages/scala"),
  scss: () => import("highlight.js/lib/languages/scss"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  vim: () => import("highlight.js/lib/languages/vim"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};

const ALIASES: Record<string, string> = {
  "c#": "csharp", "c++": "cpp", cc: "cpp", console: "bash", cs: "csharp", docker: "dockerfile", ex: "elixir",
  golang: "go", gql: "graphql", h: "c", hpp: "cpp", hs: "haskell", htm: "xml", html: "xml", js: "javascript",
  json5: "json", jsonc: "json", jsx: "javascript", kt: "kotlin", make: "makefile", md: "markdown", mjs: "javascript",
  patch: "diff", pl: "perl", proto: "protobuf", ps1: "powershell", py: "python", python3: "python", rb: "ruby",
  rs: "rust", sh: "bash", shell: "bash", svg: "xml", tex: "latex", toml: "ini", ts: "typescript",
  tsx: "typescript", vue: "xml", yml: "yaml", zsh: "bash",
};

/** Languages that stand inside another one. */
const EMBEDDED: Record<string, readonly string[]> = {
  markdown: ["xml"],
  php: ["xml"],
  xml: ["css", "javascript"],
};

/** The name under which the language of a fence's info string is known here, if it is. */
export function knownLanguage(name: string): string | undefined {
  const lower = name.toLowerCase();
  const known = Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : lower;
  return known !== undefined && Object.hasOwn(LOADERS, known) ? known : undefined;
}

const core = () => import("highlight.js/lib/core");
const loaded = new Map<string, Promise<HLJSApi | undefined>>();

/**
 * The highlighter with `language` (a known one) registered, or undefined if it cannot be loaded. The same
 * promise at every call, so that a component can `use` it.
 */
export function loadLanguage(language: string): Promise<HLJSApi | undefined> {
  let promise = loaded.get(language);
  if (!promise) {
    promise = register([language, ...(EMBEDDED[language] ?? [])]).catch(() => undefined);
    loaded.set(language, promise);
  }
  return promise;
}

async function register(languages: readonly string[]): Promise<HLJSApi> {
  const [{ default: highlighter }, ...grammars] = await Promise.all([
    core(),
    ...languages.map(async (name) => ({ name, grammar: (await LOADERS[name]?.())?.default })),
  ]);
  for (const { name, grammar } of grammars) {
    if (grammar) highlighter.registerLanguage(name, grammar);
  }
  return highlighter;
}
