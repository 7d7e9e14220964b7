import { describe, expect, it } from "vitest";
import { dayText, expiryText, isLastDay } from "@/i18n/dates";
import { en } from "@/i18n/en";
import { ja } from "@/i18n/ja";

const HOUR = 3600 * 1000;
const now = new Date(2026, 0, 15, 12).getTime();
const after = (hours: number): string => new Date(now + hours * HOUR).toISOString();

describe("how long something lives", () => {
  it.each([
    [167.9, "Deleted in 7 days", "あと7日で削除"],
    [71, "Deleted in 3 days", "あと3日で削除"],
    [25, "Deleted in 1 day", "あと1日で削除"],
    [20.9, "Deleted in 20 hours", "あと20時間で削除"],
    [1, "Deleted in 1 hour", "あと1時間で削除"],
    [0.5, "Deleted within the hour", "1時間以内に削除"],
    [-1, "Deleted within the hour", "1時間以内に削除"],
  ])("%d hours", (hours, english, japanese) => {
    expect(expiryText(after(hours), now, en)).toBe(english);
    expect(expiryText(after(hours), now, ja)).toBe(japanese);
  });

  it("has a last day", () => {
    expect(isLastDay(after(23.9), now)).toBe(true);
    expect(isLastDay(after(24.1), now)).toBe(false);
  });
});

describe("the days of the list", () => {
  it("are named as people name them", () => {
    expect(dayText(after(-1), now, "en", en)).toBe("Today");
    expect(dayText(after(-13), now, "ja", ja)).toBe("昨日");
    expect(dayText(after(-37), now, "en", en)).toBe("Tuesday, Jan 13");
    expect(dayText(after(-37), now, "ja", ja)).toContain("火曜日");
  });
});
