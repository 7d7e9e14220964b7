/** Where `?next=` leads: a path of this origin, else the start page. The server judges it again. */
export function nextPath({ search, origin }: Pick<Location, "search" | "origin">): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  if (!URL.canParse(next, origin)) return "/";
  const address = new URL(next, origin);
  return address.origin === origin && !address.pathname.startsWith("//") ? address.pathname + address.search : "/";
}
