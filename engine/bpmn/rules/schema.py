"""The XML schema of BPMN 2.0.2 as a table: which attributes and children each element may have.

One line a type, as in the schema of the OMG: ``name<base attributes | children``. An attribute
ends in ``!`` when it is required; after the colon stands its kind: ``b`` boolean, ``i`` integer,
``q`` a qualified name, ``r`` the id of an element of the same file, or an enumeration. A child
ends in ``?``, ``*`` or ``+`` as in a regular expression; after ``=`` stands its type, where that
is not its name. ``~`` marks an abstract type, ``+`` one with text, ``*`` one with any content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_TYPES = """
~activity<flowNode isForCompensation:b startQuantity:i completionQuantity:i default:r |
    ioSpecification? property* dataInputAssociation* dataOutputAssociation* resourceRole*
    loopCharacteristics?
adHocSubProcess<subProcess cancelRemainingInstances:b ordering:AdHocOrdering |
    completionCondition?=expression
~artifact<baseElement
assignment<baseElement | from=expression to=expression
association<artifact sourceRef!:q targetRef!:q associationDirection:AssociationDirection
auditing<baseElement
~baseElement id:id | documentation* extensionElements?
+~baseElementWithMixedContent id:id | documentation* extensionElements?
boundaryEvent<catchEvent cancelActivity:b attachedToRef!:q
businessRuleTask<task implementation:Implementation
callActivity<activity calledElement:q
callChoreography<choreographyActivity calledChoreographyRef:q | participantAssociation*
callConversation<conversationNode calledCollaborationRef:q | participantAssociation*
callableElement<rootElement name | supportedInterfaceRef*=q ioSpecification? ioBinding*
cancelEventDefinition<eventDefinition
~catchEvent<event parallelMultiple:b | dataOutput* dataOutputAssociation* outputSet?
    eventDefinition* eventDefinitionRef*=q
category<rootElement name | categoryValue*
categoryValue<baseElement value
choreography<collaboration | flowElement*
~choreographyActivity<flowNode initiatingParticipantRef!:q loopType:ChoreographyLoopType |
    participantRef+=q correlationKey*
choreographyTask<choreographyActivity | messageFlowRef+=q
collaboration<rootElement name isClosed:b | participant* messageFlow* artifact*
    conversationNode* conversationAssociation* participantAssociation* messageFlowAssociation*
    correlationKey* choreographyRef*=q conversationLink*
compensateEventDefinition<eventDefinition waitForCompletion:b activityRef:q
complexBehaviorDefinition<baseElement | condition=formalExpression event?=implicitThrowEvent
complexGateway<gateway default:r | activationCondition?=expression
conditionalEventDefinition<eventDefinition | condition=expression
conversation<conversationNode
conversationAssociation<baseElement innerConversationNodeRef!:q outerConversationNodeRef!:q
conversationLink<baseElement name sourceRef!:q targetRef!:q
~conversationNode<baseElement name | participantRef*=q messageFlowRef*=q correlationKey*
correlationKey<baseElement name | correlationPropertyRef*=q
correlationProperty<rootElement name type:q | correlationPropertyRetrievalExpression+
correlationPropertyBinding<baseElement correlationPropertyRef!:q | dataPath=formalExpression
correlationPropertyRetrievalExpression<baseElement messageRef!:q | messagePath=formalExpression
correlationSubscription<baseElement correlationKeyRef!:q | correlationPropertyBinding*
dataAssociation<baseElement | sourceRef*=r targetRef=r transformation?=formalExpression
    assignment*
dataInput<baseElement name itemSubjectRef:q isCollection:b | dataState?
dataInputAssociation<dataAssociation
dataObject<flowElement itemSubjectRef:q isCollection:b | dataState?
dataObjectReference<flowElement itemSubjectRef:q dataObjectRef:r | dataState?
dataOutput<baseElement name itemSubjectRef:q isCollection:b | dataState?
dataOutputAssociation<dataAssociation
dataState<baseElement name
dataStore<rootElement name capacity:i isUnlimited:b itemSubjectRef:q | dataState?
dataStoreReference<flowElement itemSubjectRef:q dataStoreRef:q | dataState?
definitions id:id name targetNamespace! expressionLanguage typeLanguage exporter exporterVersion
    | import* extension* rootElement* BPMNDiagram* relationship*
*documentation id:id textFormat
endEvent<throwEvent
endPoint<rootElement
error<rootElement name errorCode structureRef:q
errorEventDefinition<eventDefinition errorRef:q
escalation<rootElement name escalationCode structureRef:q
escalationEventDefinition<eventDefinition escalationRef:q
~event<flowNode | property*
eventBasedGateway<gateway instantiate:b eventGatewayType:EventBasedGatewayType
~eventDefinition<rootElement
exclusiveGateway<gateway default:r
+expression<baseElementWithMixedContent
extension definition:q mustUnderstand:b | documentation*
*extensionElements
~flowElement<baseElement name | auditing? monitoring? categoryValueRef*=q
~flowNode<flowElement | incoming*=q outgoing*=q
formalExpression<expression language evaluatesToTypeRef:q
~gateway<flowNode gatewayDirection:GatewayDirection
globalBusinessRuleTask<globalTask implementation:Implementation
globalChoreographyTask<choreography initiatingParticipantRef:q
globalConversation<collaboration
globalManualTask<globalTask
globalScriptTask<globalTask scriptLanguage | script?
globalTask<callableElement | resourceRole*
globalUserTask<globalTask implementation:Implementation | rendering*
group<artifact categoryValueRef:q
humanPerformer<performer
implicitThrowEvent<throwEvent
import namespace! location! importType!
inclusiveGateway<gateway default:r
inputOutputBinding<baseElement operationRef!:q inputDataRef!:r outputDataRef!:r
inputOutputSpecification<baseElement | dataInput* dataOutput* inputSet+ outputSet+
inputSet<baseElement name | dataInputRefs*=r optionalInputRefs*=r whileExecutingInputRefs*=r
    outputSetRefs*=r
interface<rootElement name! implementationRef:q | operation+
intermediateCatchEvent<catchEvent
intermediateThrowEvent<throwEvent
itemDefinition<rootElement structureRef:q isCollection:b itemKind:ItemKind
lane<baseElement name partitionElementRef:q | partitionElement?=baseElement flowNodeRef*=r
    childLaneSet?=laneSet
laneSet<baseElement name | lane*
linkEventDefinition<eventDefinition name! | source*=q target?=q
~loopCharacteristics<baseElement
manualTask<task
message<rootElement name itemRef:q
messageEventDefinition<eventDefinition messageRef:q | operationRef?=q
messageFlow<baseElement name sourceRef!:q targetRef!:q messageRef:q
messageFlowAssociation<baseElement innerMessageFlowRef!:q outerMessageFlowRef!:q
monitoring<baseElement
multiInstanceLoopCharacteristics<loopCharacteristics isSequential:b
    behavior:MultiInstanceFlowCondition oneBehaviorEventRef:q noneBehaviorEventRef:q |
    loopCardinality?=expression loopDataInputRef?=q loopDataOutputRef?=q
    inputDataItem?=dataInput outputDataItem?=dataOutput complexBehaviorDefinition*
    completionCondition?=expression
operation<baseElement name! implementationRef:q | inMessageRef=q outMessageRef?=q errorRef*=q
outputSet<baseElement name | dataOutputRefs*=r optionalOutputRefs*=r whileExecutingOutputRefs*=r
    inputSetRefs*=r
parallelGateway<gateway
participant<baseElement name processRef:q | interfaceRef*=q endPointRef*=q
    participantMultiplicity?
participantAssociation<baseElement | innerParticipantRef=q outerParticipantRef=q
participantMultiplicity<baseElement minimum:i maximum:i
partnerEntity<rootElement name | participantRef*=q
partnerRole<rootElement name | participantRef*=q
performer<resourceRole
potentialOwner<humanPerformer
process<callableElement processType:ProcessType isClosed:b isExecutable:b
    definitionalCollaborationRef:q | auditing? monitoring? property* laneSet* flowElement*
    artifact* resourceRole* correlationSubscription* supports*=q
property<baseElement name itemSubjectRef:q | dataState?
receiveTask<task implementation:Implementation instantiate:b messageRef:q operationRef:q
relationship<baseElement type! direction:RelationshipDirection | source+=q target+=q
rendering<baseElement
resource<rootElement name! | resourceParameter*
resourceAssignmentExpression<baseElement | expression
resourceParameter<baseElement name type:q isRequired:b
resourceParameterBinding<baseElement parameterRef!:q | expression
resourceRole<baseElement name | resourceRef?=q resourceParameterBinding*
    resourceAssignmentExpression?
~rootElement<baseElement
*script
scriptTask<task scriptFormat | script?
sendTask<task implementation:Implementation messageRef:q operationRef:q
sequenceFlow<flowElement sourceRef!:r targetRef!:r isImmediate:b |
    conditionExpression?=expression
serviceTask<task implementation:Implementation operationRef:q
signal<rootElement name structureRef:q
signalEventDefinition<eventDefinition signalRef:q
standardLoopCharacteristics<loopCharacteristics testBefore:b loopMaximum:i |
    loopCondition?=expression
startEvent<catchEvent isInterrupting:b
subChoreography<choreographyActivity | flowElement* artifact*
subConversation<conversationNode | conversationNode*
subProcess<activity triggeredByEvent:b | laneSet* flowElement* artifact*
task<activity
terminateEventDefinition<eventDefinition
*text
textAnnotation<artifact textFormat | text?
~throwEvent<event | dataInput* dataInputAssociation* inputSet? eventDefinition*
    eventDefinitionRef*=q
timerEventDefinition<eventDefinition | timeDate?=expression timeDuration?=expression
    timeCycle?=expression
transaction<subProcess method:TransactionMethod
userTask<task implementation:Implementation | rendering*"""

_GROUPS = """
flowElement = adHocSubProcess boundaryEvent businessRuleTask callActivity callChoreography
    choreographyTask complexGateway dataObject dataObjectReference dataStoreReference endEvent
    eventBasedGateway exclusiveGateway inclusiveGateway intermediateCatchEvent
    intermediateThrowEvent manualTask parallelGateway receiveTask scriptTask sendTask
    sequenceFlow serviceTask startEvent subChoreography subProcess task transaction userTask
artifact = association group textAnnotation
conversationNode = callConversation conversation subConversation
eventDefinition = cancelEventDefinition compensateEventDefinition conditionalEventDefinition
    errorEventDefinition escalationEventDefinition linkEventDefinition messageEventDefinition
    signalEventDefinition terminateEventDefinition timerEventDefinition
rootElement = category collaboration correlationProperty dataStore endPoint error escalation
    eventDefinition globalBusinessRuleTask globalManualTask globalScriptTask globalTask
    globalUserTask interface itemDefinition message partnerEntity partnerRole process resource
    signal
collaboration = choreography globalConversation
expression = formalExpression
choreography = globalChoreographyTask
performer = humanPerformer potentialOwner
loopCharacteristics = multiInstanceLoopCharacteristics standardLoopCharacteristics
resourceRole = performer"""

_RENAMED = {"ioBinding": "inputOutputBinding", "ioSpecification": "inputOutputSpecification"}

ENUMERATIONS = {
    "b": frozenset({"true", "false", "1", "0"}),
    "AdHocOrdering": frozenset({"Parallel", "Sequential"}),
    "AssociationDirection": frozenset({"None", "One", "Both"}),
    "ChoreographyLoopType": frozenset(
        {"None", "Standard", "MultiInstanceSequential", "MultiInstanceParallel"}
    ),
    "EventBasedGatewayType": frozenset({"Exclusive", "Parallel"}),
    "GatewayDirection": frozenset({"Unspecified", "Converging", "Diverging", "Mixed"}),
    "ItemKind": frozenset({"Information", "Physical"}),
    "MultiInstanceFlowCondition": frozenset({"None", "One", "All", "Complex"}),
    "ProcessType": frozenset({"None", "Public", "Private"}),
    "Implementation": frozenset({"##unspecified", "##WebService"}),
    "TransactionMethod": frozenset({"##Compensate", "##Image", "##Store"}),
    "RelationshipDirection": frozenset({"None", "Forward", "Backward", "Both"}),
}


URIS = frozenset({"Implementation", "TransactionMethod"})
"""Where any other URI may stand for a value of the enumeration."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What the schema says of one attribute."""

    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Child:
    """What the schema says of one child: its place in the sequence, how often, of which type."""

    position: int
    required: bool
    repeatable: bool
    type: str


@dataclass(slots=True)
class Type:
    """One type with everything it inherits."""

    name: str
    text: bool = False
    open: bool = False
    abstract: bool = False
    lineage: frozenset[str] = frozenset()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    required_attributes: tuple[str, ...] = ()
    required_children: tuple[str, ...] = ()


def _lines(text: str) -> Iterator[str]:
    pending = ""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            pending += " " + line.strip()
        else:
            if pending:
                yield pending
            pending = line
    yield pending


def _groups() -> dict[str, list[str]]:
    found = {}
    for line in _lines(_GROUPS):
        head, _, members = line.partition(" = ")
        found[head] = members.split()
    return found


def _members(name: str, groups: dict[str, list[str]], abstract: set[str]) -> Iterator[str]:
    if name not in abstract:
        yield name
    for member in groups.get(name, ()):
        yield from _members(member, groups, abstract)


class _Loader:
    """Reads the lines, each type after its base."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[str, str, list[str]]] = {}
        for line in _lines(_TYPES):
            head, *rest = line.split()
            name, _, base = head.lstrip("~+*").partition("<")
            self.lines[name] = (head[: len(head) - len(head.lstrip("~+*"))], base, rest)
        self.groups = _groups()
        self.abstract = {name for name, (marks, _, _) in self.lines.items() if "~" in marks}
        self.types: dict[str, Type] = {}

    def load(self) -> dict[str, Type]:
        for name in self.lines:
            self._type(name)
        return self.types

    def _type(self, name: str) -> Type:
        if name in self.types:
            return self.types[name]
        marks, base, rest = self.lines[name]
        made = Type(name, "+" in marks, "*" in marks, "~" in marks, frozenset({name}))
        if base:
            above = self._type(base)
            made.text |= above.text
            made.lineage |= above.lineage
            made.attributes.update(above.attributes)
            made.children.update(above.children)
        split = rest.index("|") if "|" in rest else len(rest)
        for word in rest[:split]:
            attribute, _, kind = word.partition(":")
            made.attributes[attribute.rstrip("!")] = Attribute(kind, attribute.endswith("!"))
        position = max((child.position for child in made.children.values()), default=-1)
        for place, word in enumerate(rest[split + 1 :], position + 1):
            self._child(made, place, word)
        made.required_attributes = tuple(k for k, v in made.attributes.items() if v.required)
        made.required_children = tuple(k for k, v in made.children.items() if v.required)
        self.types[name] = made
        return made

    def _child(self, made: Type, place: int, word: str) -> None:
        name, _, type_ = word.partition("=")
        mark = name[-1] if name[-1] in "?*+" else ""
        name = name.rstrip("?*+")
        members = [name] if type_ else list(_members(name, self.groups, self.abstract))
        for member in members:
            made.children[member] = Child(
                place,
                required=mark in ("", "+") and len(members) == 1,
                repeatable=mark in ("*", "+"),
                type=type_ or _RENAMED.get(member, member),
            )


TYPES = _Loader().load() | {name: Type(name, text=True) for name in ("q", "r")}
LOCAL = {
    name: child.type
    for type_ in TYPES.values()
    for name, child in type_.children.items()
    if child.type != name
}
"""Elements that are known only inside another one, e.g. ``timeDate``, with their type."""


def global_type(kind: str) -> Type | None:
    """The type of an element of that name, wherever it stands."""
    return TYPES.get(LOCAL.get(kind, kind))


def kinds(*names: str) -> frozenset[str]:
    """The names of all elements that are of one of these types."""
    return frozenset(
        type_.name for type_ in TYPES.values() if any(name in type_.lineage for name in names)
    )
