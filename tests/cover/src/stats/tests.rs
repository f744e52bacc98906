use super::*;

fn near(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within, "{a} is not {b}");
}

#[test]
fn areas_of_heaps_that_are_easily_counted() {
    near(auc(&[3.0, 4.0], &[1.0, 2.0]).unwrap().value, 1.0, 1e-12);
    near(auc(&[1.0, 2.0], &[3.0, 4.0]).unwrap().value, 0.0, 1e-12);
    near(auc(&[1.0, 2.0], &[3.0, 4.0]).unwrap().folded(), 1.0, 1e-12);
    near(auc(&[1.0, 1.0], &[1.0]).unwrap().value, 0.5, 1e-12);
    // Of six pairs four are won, one is equal.
    near(
        auc(&[2.0, 3.0], &[1.0, 2.0, 2.5]).unwrap().value,
        4.5 / 6.0,
        1e-12,
    );
    assert!(auc(&[], &[1.0]).is_none());
}

#[test]
fn the_error_of_the_area_is_what_chance_makes_of_it() {
    let mut dice = Dice::new(3, "area", 0);
    let mut heap = |count: usize| (0..count).map(|_| dice.part()).collect::<Vec<f64>>();
    let all: Vec<Auc> = (0..400)
        .map(|_| auc(&heap(200), &heap(300)).unwrap())
        .collect();
    let values: Vec<f64> = all.iter().map(|auc| auc.value).collect();
    let errors: Vec<f64> = all.iter().map(|auc| auc.error).collect();
    near(mean(&values), 0.5, 0.005);
    near(deviation(&values), mean(&errors), 0.003);
    // What the theory says for two heaps of the same distribution.
    near(
        mean(&errors),
        (501.0_f64 / 12.0 / 200.0 / 300.0).sqrt(),
        0.001,
    );
    near(
        all.iter().filter(|auc| auc.upper() < 0.5).count() as f64,
        0.0,
        0.0,
    );
}

#[test]
fn random_parts_of_one_heap_have_areas_around_a_half() {
    let numbers: Vec<f64> = (0..200).map(f64::from).collect();
    let areas = null(
        &numbers[..100],
        &numbers[100..],
        300,
        &mut Dice::new(1, "null", 0),
    );
    near(mean(&areas), 0.5, 0.01);
    near(deviation(&areas), 0.041, 0.006);
}

#[test]
fn quantiles_are_numbers_of_the_heap() {
    let numbers = [5.0, 1.0, 4.0, 2.0, 3.0];
    near(median(&numbers), 3.0, 0.0);
    near(quantile(&numbers, 0.0), 1.0, 0.0);
    near(quantile(&numbers, 0.81), 5.0, 0.0);
    near(quantile(&[], 0.5), 0.0, 0.0);
}

#[test]
fn distances_of_distributions() {
    near(distance(&[1.0, 2.0], &[3.0, 4.0]), 1.0, 1e-12);
    near(distance(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 0.0, 1e-12);
    near(
        distance(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]),
        0.5,
        1e-12,
    );
    near(
        distance(&[1.0, 1.0, 2.0], &[1.0, 2.0, 2.0]),
        1.0 / 3.0,
        1e-12,
    );
}

#[test]
fn what_repeats_depends_on_itself() {
    let numbers: Vec<f64> = (0..1_000).map(|i| f64::from(i % 2)).collect();
    near(autocorrelation(&numbers, 1), -1.0, 0.01);
    near(autocorrelation(&numbers, 2), 1.0, 0.01);
    near(autocorrelation(&[1.0, 1.0, 1.0], 1), 0.0, 0.0);
    let mut dice = Dice::new(1, "lag", 0);
    let noise: Vec<f64> = (0..10_000).map(|_| dice.part()).collect();
    near(autocorrelation(&noise, 3), 0.0, 0.04);
}

#[test]
fn hits_that_chance_allows() {
    // Of a thousand pairs: the bounds of the proof.
    assert_eq!(most_hits(1_000, 1e-2, SELDOM), 21);
    assert_eq!(most_hits(1_000, 1e-3, SELDOM), 5);
    assert_eq!(most_hits(1_000, 1e-4, SELDOM), 2);
    // Of 320.
    assert_eq!(most_hits(320, 1e-2, SELDOM), 10);
    assert_eq!(most_hits(320, 1e-3, SELDOM), 3);
    assert_eq!(most_hits(1, 0.5, SELDOM), 1);
    // Of 150, a thousand times as seldom: 10 and 4 where chance reaches 1.5 and 0.15 on average.
    assert_eq!(most_hits(150, 1e-2, 1e-6), 10);
    assert_eq!(most_hits(150, 1e-3, 1e-6), 4);
}
