import { Tag } from "antd";
import { useTranslation } from "react-i18next";

import { type Urgency, urgency } from "./dates";

const COLOURS: Record<Urgency, string> = {
  overdue: "#b3261e",
  today: "#8a4b00",
  soon: "#8a4b00",
  later: "#1a6b3c",
  none: "#545e6b",
};

/** Time left in working days, as colour and as words. */
export function TimeLeft({ remaining }: { remaining: number | null | undefined }) {
  const { t } = useTranslation();
  const state = urgency(remaining);
  return (
    <Tag variant="solid" color={COLOURS[state]}>
      {t(`left.${state}`, { count: Math.abs(remaining ?? 0) })}
    </Tag>
  );
}
