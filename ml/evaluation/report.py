"""Compute all figures of merit of a run's or a bundle's answers for labeled pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ml import metrics
from ml.errors import DataSetInvalid
from ml.evaluation.answers import UNLABELED, Answers
from ml.evaluation.bootstrap import DEFAULT_ROUNDS, Resampling
from ml.evaluation.calibration import Abstention
from ml.evaluation.results import Evaluation, Means, Sample, Subgroup, SymptomEvaluation, TypeAgreement
from ml.labels import GRADES, SCALP_TYPES, scalp_type
from ml.levels import Levels
from ml.metrics import RiskCoverage

#: Figures with an interval, by the name of their field: functions of confusion matrices.
FIGURES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": metrics.accuracy,
    "macro_f1": metrics.macro_f1,
    "qwk": metrics.quadratic_weighted_kappa,
    "within_one": metrics.within_one,
}

#: The number of points that are kept of a risk-coverage curve; its area is computed from all.
_CURVE_POINTS = 200


def evaluate(
    answers: Answers,
    *,
    subject: str,
    sample: Sample,
    temperatures: Mapping[str, float],
    thresholds: Mapping[str, float],
    levels: Mapping[str, Levels] = MappingProxyType({}),
    facts: Mapping[str, str] = MappingProxyType({}),
    calibrated_on: str | None = None,
    rounds: int = DEFAULT_ROUNDS,
    seed: int = 0,
) -> Evaluation:
    """Evaluate answers, at least one. The default temperature is 1, the default threshold 0.

    Each symptom is measured on the pictures that are labeled for it, the type rule on those that are labeled for all
    six. Raises DataSetInvalid if no picture is labeled for any answered symptom. Intervals come from `rounds`
    resamplings of persons with this `seed`; see `ml.evaluation.bootstrap`.
    """
    labeled = [symptom for symptom, column in zip(answers.symptoms, answers.labeled.T, strict=True) if column.any()]
    if not labeled:
        raise DataSetInvalid(f"No picture is labeled for a symptom that {subject} grades: nothing can be measured.")
    not_labeled = tuple(symptom for symptom in answers.symptoms if symptom not in labeled)
    answers = answers.select(labeled)
    before, after = answers.probabilities({}), answers.probabilities(temperatures, levels)
    resampling = Resampling.of(answers.persons, rounds=rounds, seed=seed)
    answered = after.argmax(axis=2)
    resampled = [
        resampling.select(chosen).confusions(answers.grades[chosen, column], answered[chosen, column], len(GRADES))
        for column, chosen in enumerate(answers.labeled.T)
    ]
    symptoms = tuple(
        _symptom(
            symptom,
            answers.grades[:, column],
            before[:, column],
            after[:, column],
            temperatures.get(symptom, 1.0),
            thresholds.get(symptom, 0.0),
            resampling,
            resampled[column],
        )
        for column, symptom in enumerate(answers.symptoms)
    )
    return Evaluation(
        subject=subject,
        facts=facts,
        sample=sample,
        pictures=len(answers),
        persons=resampling.persons,
        calibrated_on=calibrated_on,
        symptoms=symptoms,
        not_labeled=not_labeled,
        mean=_means(symptoms, resampling, resampled),
        subgroups=_subgroups(answers, answered),
        type_rule=_type_agreement(answers, answered, resampling) if _has_type(answers) else None,
    )


def _symptom(
    symptom: str,
    grades: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    temperature: float,
    threshold: float,
    resampling: Resampling,
    resampled: np.ndarray,
) -> SymptomEvaluation:
    labeled = grades != UNLABELED
    resampling = resampling.select(labeled)
    grades, before, after = grades[labeled], before[labeled], after[labeled]
    confusion = metrics.confusion_matrix(grades, after.argmax(axis=1), len(GRADES))
    right, confidence = after.argmax(axis=1) == grades, after.max(axis=1)
    right_before, confidence_before = before.argmax(axis=1) == grades, before.max(axis=1)
    curve = metrics.risk_coverage(confidence, right)
    return SymptomEvaluation(
        key=symptom,
        pictures=len(grades),
        grades=tuple(int(count) for count in confusion.sum(axis=1)),
        confusion=confusion.astype(np.int64),
        majority=float(metrics.majority_baseline(confusion)),
        recalls=tuple(float(recall) for recall in metrics.recalls(confusion)),
        temperature=temperature,
        ece_before=metrics.calibration_error(confidence_before, right_before),
        ece=metrics.calibration_error(confidence, right),
        reliability_before=metrics.reliability(confidence_before, right_before),
        reliability=metrics.reliability(confidence, right),
        risk_coverage=_thin(curve),
        aurc=curve.area,
        abstention=Abstention.at(threshold, confidence, right),
        **{name: resampling.estimate(float(of(confusion)), of(resampled)) for name, of in FIGURES.items()},
    )


def _thin(curve: RiskCoverage) -> RiskCoverage:
    kept = np.unique(np.linspace(0, len(curve.coverage) - 1, _CURVE_POINTS).round().astype(np.int64))
    return RiskCoverage(curve.coverage[kept], curve.risk[kept])


def _means(symptoms: Sequence[SymptomEvaluation], resampling: Resampling, resampled: Sequence[np.ndarray]) -> Means:
    """Every round draws the same persons for all symptoms, so the mean of its figures is a figure of that round."""
    figures: dict[str, Any] = {
        name: resampling.estimate(
            float(mean_of_defined([getattr(symptom, name).value for symptom in symptoms])),
            mean_of_defined([of(confusions) for confusions in resampled]),
        )
        for name, of in FIGURES.items()
    }
    for name in ("majority", "ece_before", "ece", "aurc"):
        figures[name] = float(mean_of_defined([getattr(symptom, name) for symptom in symptoms]))
    abstentions = [symptom.abstention for symptom in symptoms]
    return Means(
        **figures,
        coverage=float(mean_of_defined([abstention.coverage for abstention in abstentions])),
        accuracy_of_standing=float(mean_of_defined([abstention.accuracy for abstention in abstentions])),
    )


def mean_of_defined(values: Any) -> Any:
    """The mean over the first axis without NaN; NaN if there is nothing else."""
    values = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def _subgroups(answers: Answers, answered: np.ndarray) -> dict[str, tuple[Subgroup, ...]]:
    tables = {}
    for table, values in (("sex", answers.sexes), ("age", answers.ages), ("device", answers.devices)):
        names = sorted({value for value in values if value is not None})
        if names:
            tables[table] = tuple(
                _subgroup(name, np.array([v == name for v in values]), answers, answered) for name in names
            )
    return tables


def _subgroup(name: str, chosen: np.ndarray, answers: Answers, answered: np.ndarray) -> Subgroup:
    confusions = {}
    for column, symptom in enumerate(answers.symptoms):
        counted = chosen & answers.labeled[:, column]
        confusions[symptom] = metrics.confusion_matrix(
            answers.grades[counted, column], answered[counted, column], len(GRADES)
        )
    accuracy = {symptom: float(metrics.accuracy(confusion)) for symptom, confusion in confusions.items()}
    qwk = {symptom: float(metrics.quadratic_weighted_kappa(confusion)) for symptom, confusion in confusions.items()}
    return Subgroup(
        name=name,
        pictures=int(chosen.sum()),
        persons=len({answers.persons[index] for index in np.flatnonzero(chosen)}),
        accuracy=accuracy,
        qwk=qwk,
        mean_accuracy=float(mean_of_defined(list(accuracy.values()))),
        mean_qwk=float(mean_of_defined(list(qwk.values()))),
    )


def _has_type(answers: Answers) -> bool:
    """Whether the type rule can be applied to the labels of any picture."""
    return answers.complete and bool(answers.fully_labeled.any())


def _type_agreement(answers: Answers, answered: np.ndarray, resampling: Resampling) -> TypeAgreement:
    full = answers.fully_labeled
    resampling = resampling.select(full)
    true_skin, true_pred = _types(answers.grades[full])
    skin, pred = _types(answered[full])
    skins = metrics.confusion_matrix(true_skin, skin, len(SCALP_TYPES))
    preds = metrics.confusion_matrix(true_pred, pred, len(GRADES))
    resampled_skins = resampling.confusions(true_skin, skin, len(SCALP_TYPES))
    resampled_preds = resampling.confusions(true_pred, pred, len(GRADES))
    kappa = metrics.quadratic_weighted_kappa
    return TypeAgreement(
        pictures=int(full.sum()),
        skin=resampling.estimate(float(metrics.accuracy(skins)), metrics.accuracy(resampled_skins)),
        skin_majority=float(metrics.majority_baseline(skins)),
        skin_confusion=skins.astype(np.int64),
        pred=resampling.estimate(float(metrics.accuracy(preds)), metrics.accuracy(resampled_preds)),
        pred_majority=float(metrics.majority_baseline(preds)),
        pred_qwk=resampling.estimate(float(kappa(preds)), kappa(resampled_preds)),
    )


def _types(grades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices into `SCALP_TYPES` and `GRADES`, `[n]` each, of grades `[n, 6]`."""
    skin_index = {label.korean: index for index, label in enumerate(SCALP_TYPES)}
    pred_index = {label.korean: index for index, label in enumerate(GRADES)}
    words = [scalp_type(row) for row in grades.tolist()]
    return np.array([skin_index[skin] for skin, _ in words]), np.array([pred_index[pred] for _, pred in words])
