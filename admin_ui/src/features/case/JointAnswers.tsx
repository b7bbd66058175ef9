import { Card, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { Shapes } from "../../api/client";

/** What the co-handlers have answered, and whose answer is still to come. */
export function JointAnswers({ answers }: { answers: Shapes["JointAnswerView"][] }) {
  const { t } = useTranslation();
  if (answers.length === 0) return null;
  return (
    <Card size="small" title={t("joint.title")} style={{ marginBottom: 12 }}>
      {answers.map((each) => (
        <div key={each.department_name} style={{ marginBottom: 8 }}>
          <strong>{each.department_name}</strong>{" "}
          <Tag>{each.position_name ?? t("joint.waiting")}</Tag>
          {each.by && <span style={{ color: "#545e6b" }}>{each.by} · {each.on}</span>}
          {each.text && <div style={{ whiteSpace: "pre-line" }}>{each.text}</div>}
        </div>
      ))}
    </Card>
  );
}
