import { Card, Flex, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { CaseView } from "../../api/client";
import { moment } from "../../app/dates";
import { Clock } from "./Clock";
import { OtherClocks } from "./OtherClocks";
import { ReceiptForm } from "./ReceiptForm";

interface Props {
  view: CaseView;
  onChanged: (next: CaseView) => void;
}

/** Whose case, the two dates and why, and how it stands. */
export function CaseHeader({ view, onChanged }: Props) {
  const { t, i18n } = useTranslation();
  const dates = ["promised", "legal"].flatMap((key) =>
    view.clocks.filter((clock) => clock.key === key),
  );
  return (
    <Card>
      <Flex wrap justify="space-between" gap="large">
        <div>
          <h1 style={{ fontSize: 22, margin: 0 }}>{view.service_name}</h1>
          <p style={{ margin: "4px 0" }}>
            <strong>{view.reference}</strong> · {moment(view.received_at, i18n.language)}
            {view.may_correct_receipt && <ReceiptForm view={view} onChanged={onChanged} />}
          </p>
          <p style={{ margin: 0 }}>
            {view.applicant_name} {Object.values(view.applicant_contact).join(" · ")}
          </p>
          <p style={{ margin: "8px 0 0" }}>
            <Tag variant="solid" color={view.state === "open" ? "#0b4f9e" : "#545e6b"}>{t(`state.${view.state}`)}</Tag>
            {view.state === "open" && <Tag>{t(`waiting.${view.waiting_for}`)}</Tag>}
            {view.outcome_name && <Tag variant="solid" color="#1a6b3c">{view.outcome_name}</Tag>}
            {view.rating && <Tag>{t("case.rating", { grade: view.rating })}</Tag>}
          </p>
        </div>
        <Flex gap="large" wrap>
          {dates.map((clock) => (
            <Clock
              key={clock.key}
              clock={clock}
              view={view}
              main={clock.key === "promised"}
              onChanged={onChanged}
            />
          ))}
        </Flex>
      </Flex>
      <OtherClocks view={view} onChanged={onChanged} />
    </Card>
  );
}
