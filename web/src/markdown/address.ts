/** What a link in an answer may lead to: the web and mail, nothing that runs (`javascript:`, `data:`, …). */
const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address of a link, or undefined if it is relative, broken or of a scheme that is not allowed. */
export function safeAddress(href: string): string | undefined {
  const url = URL.parse(href);
  return url && ALLOWED.has(url.protocol) ? url.href : undefined;
}
