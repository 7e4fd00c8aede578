use super::*;
use crate::units::Money;

const HEAD: &str = "offers: test\nseen: 2026-11-20\nsources:\n  page: { where: a page }\nplans:\n";

fn read(plans: &str) -> Result<BTreeMap<String, Offer>, String> {
    parse(&Source::new("offers.yaml", format!("{HEAD}{plans}"))).map_err(|problems| problems.to_string())
}

fn plan(more: &str, price: &str) -> String {
    format!(
        "  box: {{ title: Box, provider: me, cores: 4, memory: 8G, {more}, price: {{ {price}, seen: 2026-11-01, source: page }} }}\n"
    )
}

#[test]
fn a_plan_is_a_machine_with_what_is_assumed_of_its_kind() {
    let offers = read(&plan("cpu: shared, disk: 80G", "month: 9 EUR, kind: list")).expect("an offer");
    let host = offers["box"].host.clone().expect("a machine");
    assert_eq!((host.core_count(), host.memory, host.disk), (4, Bytes::gibi(8), Bytes::gibi(80)));
    assert_eq!((host.steal, host.reserve_memory), (Permille::percent(1), Bytes::gibi(2)), "register H5");
    assert!(host.storage.is_none() && !offers["box"].disk_extra, "nobody said how fast its disk is");
    assert_eq!(offers["box"].price.source, "a page");
}

#[test]
fn a_burstable_machine_has_what_it_may_use_for_ever_and_none_where_nobody_says_it() {
    let price = "month: 9 EUR, kind: list";
    let known = read(&plan("cpu: burstable, baseline: { share: 40%, source: page }", price)).expect("an offer");
    let host = known["box"].host.clone().expect("a machine");
    assert_eq!(host.capacity(), Millicores::new(1600), "four cores of 40 %");
    assert!(known["box"].disk_extra, "no disk is in the price");
    let unknown = read(&plan("cpu: burstable", price)).expect("an offer");
    assert!(unknown["box"].host.as_ref().expect_err("no machine").contains("no source says"));
}

#[test]
fn all_that_is_wrong_comes_at_once_with_its_place() {
    let text = plan("cpu: shared, baseline: { share: 40%, source: pge }", "month: 9 EUR, kind: promo, hour: 0 USD")
        .replace("2026-11-01", "yesterday");
    let wrong = read(&text).expect_err("all of it");
    for says in [
        "unknown source `pge`, did you mean `page`?",
        "a promotion without the price that follows it",
        "a price of nothing is no price",
        "`yesterday` is no day",
        "a baseline of cores that are shared",
    ] {
        assert!(wrong.contains(says), "{says} in {wrong}");
    }
    let two = read(&plan("cpu: shared", "month: 9 EUR, kind: promo, renewal: 12 USD")).expect_err("two currencies");
    assert!(two.contains("9 EUR and 12 USD are two currencies in one price") && two.contains("offers.yaml:6"), "{two}");
    assert!(
        read(&plan("cpu: shared", "month: 9 EUR, kind: hourly"))
            .expect_err("no hour")
            .contains("without that of an hour")
    );
}

#[test]
fn a_project_stands_over_what_is_shipped_and_a_file_over_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, price: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let text = plan("cpu: shared", &format!("month: {price}, kind: list")).replace("box:", "hetzner-cx53:");
        std::fs::write(&path, format!("{HEAD}{text}")).expect("written");
        path
    };
    let month = |offers: &Offers| offers.all["hetzner-cx53"].price.month;
    let shipped = Offers::below(folder.path(), None).expect("shipped");
    assert!(shipped.files_read.is_empty());
    write("catalog/offers.yaml", "1 EUR");
    let own = Offers::below(&folder.path().join("below"), None).expect("own");
    assert_eq!((month(&own), own.all.len()), (Money::parse("1 EUR").expect("money"), shipped.all.len()));
    let file = write("mine.yaml", "2 EUR");
    assert_eq!(month(&Offers::below(folder.path(), Some(&file)).expect("mine")), Money::parse("2 EUR").expect("money"));
}

#[test]
fn a_plan_of_the_name_of_a_profile_is_that_machine_at_the_price_of_the_plan() {
    let offers = Offers::below(Path::new("/nowhere"), None).expect("shipped");
    let four = offers.all["kvm-4"].host.clone().expect("a machine");
    assert_eq!(
        (four.steal, four.storage.map(|disk| disk.iops)),
        (Permille::new(1), Some(60_000)),
        "as the profile says"
    );
    assert_eq!(four.price, Some(offers.all["kvm-4"].price.clone()));
    assert!(!offers.all.contains_key("workstation-22"), "a profile without a price is no offer");
}
