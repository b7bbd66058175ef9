let zone = "Asia/Shanghai";

/** The time zone of the office's calendar, in which every date is shown. */
export function rememberZone(name: string): void {
  zone = name;
}

/** The office's date of an instant, in the reader's words. */
export function day(value: string | null | undefined, locale: string): string {
  if (!value) return "–";
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: zone }).format(
    new Date(value),
  );
}

export function moment(value: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: zone,
  }).format(new Date(value));
}

/** What the office's clocks show at an instant, as a field for date and time wants it. */
export function wallTime(value: string): string {
  const shown = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: zone });
  return shown.format(new Date(value)).replace(" ", "T");
}

/** The instant at which the office's clocks show `wall`, whatever the reader's own zone is. */
export function instantOf(wall: string): string {
  const asUtc = Date.parse(`${wall}Z`);
  const ahead = Date.parse(`${wallTime(new Date(asUtc).toISOString())}Z`) - asUtc;
  return new Date(asUtc - ahead).toISOString();
}

export type Urgency = "overdue" | "today" | "soon" | "later" | "none";

/** How pressing a date is, from the working days that remain. */
export function urgency(remaining: number | null | undefined): Urgency {
  if (remaining === null || remaining === undefined) return "none";
  if (remaining < 0) return "overdue";
  if (remaining === 0) return "today";
  return remaining <= 3 ? "soon" : "later";
}
