/** Character references (`&amp;`, `&#x2014;`) as the browser itself reads them: no table of our own. */
const REFERENCE = /&(?:#x[0-9a-f]{1,6}|#\d{1,7}|[a-z][a-z0-9]{1,31});/gi;

let reader: DOMParser | undefined;

export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (reference) => {
    reader ??= new DOMParser();
    return reader.parseFromString(reference, "text/html").body.textContent;
  });
}
