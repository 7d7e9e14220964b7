import { expect, it } from "vitest";
import { nextPath } from "@/sign-in/next-path";

const origin = "https://nanoka.example";

it.each([
  ["", "/"],
  ["?next=/c/1", "/c/1"],
  ["?next=/c/1%3Fa%3D1", "/c/1?a=1"],
  ["?next=https://evil.example/", "/"],
  ["?next=//evil.example/", "/"],
  ["?next=/\\evil.example", "/"],
  ["?next=/.//evil.example", "/"],
  ["?next=javascript:alert(1)", "/"],
])("%s leads to %s", (search, path) => {
  expect(nextPath({ search, origin })).toBe(path);
});
