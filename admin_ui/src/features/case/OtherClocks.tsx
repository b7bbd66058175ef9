import { Collapse, Flex } from "antd";
import { useTranslation } from "react-i18next";

import type { CaseView } from "../../api/client";
import { Clock } from "./Clock";

interface Props {
  view: CaseView;
  onChanged: (next: CaseView) => void;
}

/** The limits of stages, departments and tasks, beside the two dates of the case. */
export function OtherClocks({ view, onChanged }: Props) {
  const { t } = useTranslation();
  const clocks = view.clocks.filter((clock) => clock.kind !== "legal" && clock.kind !== "promised");
  if (clocks.length === 0) return null;
  return (
    <Collapse
      size="small"
      style={{ marginTop: 12 }}
      items={[
        {
          key: "clocks",
          label: `${t("clock.others")} (${clocks.length})`,
          children: (
            <Flex gap="large" wrap>
              {clocks.map((clock) => (
                <Clock key={clock.key} clock={clock} view={view} main={false} onChanged={onChanged} />
              ))}
            </Flex>
          ),
        },
      ]}
    />
  );
}
