import type { Language } from "@/shell/preferences";
import type { Dictionary } from "./en";

/** A format for each language, made when it is first needed and once: making one takes longer than rendering a message. */
function formatted(options: Intl.DateTimeFormatOptions): (moment: Date | number, language: Language) => string {
  const formats: Partial<Record<Language, Intl.DateTimeFormat>> = {};
  return (moment, language) => (formats[language] ??= new Intl.DateTimeFormat(language, options)).format(moment);
}

const weekday = formatted({ weekday: "long" });
const time = formatted({ hour: "numeric", minute: "2-digit" });
const date = formatted({ weekday: "long", month: "short", day: "numeric" });

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

/** What is left until `expiresAt` (ISO 8601): days to the nearest, and on the last day whole hours. */
export function remaining(expiresAt: string, now: number): { days: number; hours: number } {
  const left = Math.max(0, Date.parse(expiresAt) - now);
  return { days: left < DAY ? 0 : Math.round(left / DAY), hours: Math.floor(left / HOUR) };
}

/** "Deleted in 3 days", "Deleted in 5 hours", "Deleted within the hour". */
export function expiryText(expiresAt: string, now: number, words: Dictionary): string {
  const { days, hours } = remaining(expiresAt, now);
  if (days >= 1) return words.expiry.days(days);
  return hours >= 1 ? words.expiry.hours(hours) : words.expiry.soon;
}

export function isLastDay(expiresAt: string, now: number): boolean {
  return Date.parse(expiresAt) - now < DAY;
}

/** A moment within the coming week: weekday and time. */
export function momentText(at: string, language: Language, words: Dictionary): string {
  const moment = new Date(at);
  return words.expiry.moment(weekday(moment, language), time(moment, language));
}

/** The heading of a day in the list: today, yesterday, else the weekday with its date. */
export function dayText(at: string, now: number, language: Language, words: Dictionary): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const day = new Date(at).setHours(0, 0, 0, 0);
  if (day >= midnight) return words.sidebar.today;
  if (Math.round((midnight - day) / DAY) === 1) return words.sidebar.yesterday;
  return date(day, language);
}
