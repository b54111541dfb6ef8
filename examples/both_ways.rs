//! One model, trained as a type and as values: the same bytes come out. Then a program that does not know its
//! type opens its image.
//!
//! `cargo run --release --example both_ways --features alloc`

use nanoembed::image::{self, Contents};
use nanoembed::layers::{ActivationKind, Bag, Dense, EmbeddingBag, Layer, Softmax};
use nanoembed::loss::{AnyLoss, Labels, SparseCategoricalCrossEntropy};
use nanoembed::models::{self, All, BatchSize, Classifier, Input, LayerKind, Model, Recipe, Record, Source};
use nanoembed::optim::{Adam, AnyOptimizer};
use nanoembed::rand_core::SeedableRng;
use nanoembed::rand_xoshiro::Xoshiro128PlusPlus;
use nanoembed::table::RowFormat;
use nanoembed::text::HashingTokenizer;
use nanoembed::{sequential, train};
use std::error::Error;

sequential! {
    /// The mean of the rows of up to 8 words, in a table of 64 rows of 4 numbers, and three classes.
    type Requests = [EmbeddingBag<8, 64, 4>, Dense<4, 3, Softmax>];
}

const TOKENIZER: HashingTokenizer = HashingTokenizer::for_table::<Requests>();
const CLASSES: [&str; 3] = ["weather", "music", "restaurant"];
const EPOCHS: usize = 80;

const REQUESTS: [(&str, u16); 9] = [
    ("will it rain tomorrow", 0),
    ("how warm is it in Rome", 0),
    ("is snow coming", 0),
    ("play some jazz", 1),
    ("play the next song", 1),
    ("louder please, I love this song", 1),
    ("book a table for two", 2),
    ("find an Italian restaurant", 2),
    ("a table at eight please", 2),
];

fn main() -> Result<(), Box<dyn Error>> {
    let adam = Adam { learning_rate: 0.05, ..Adam::default() };
    let labels = REQUESTS.map(|(_, class)| class);

    // As a type: sizes are const parameters, ids stand in bags of fixed capacity.
    let mut typed = Requests::new(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let bags = REQUESTS
        .iter()
        .map(|(text, _)| Ok(Bag::from_ids(TOKENIZER.ids_as::<u16>(text)?)?))
        .collect::<Result<Vec<Bag<8>>, Box<dyn Error>>>()?;
    let mut trainer = train::Trainer::<Requests, _, _, 4>::new(adam, SparseCategoricalCrossEntropy);
    for _ in 0..EPOCHS {
        trainer.epoch(&mut typed, &bags, &labels)?;
    }
    println!("as a type   {}", trainer.evaluate(&typed, &bags, &labels)?.loss);

    // As values: sizes are numbers, ids stand one after the other, and offsets divide them.
    let records = [
        Record::new(LayerKind::EmbeddingBag, &[64, 4]).from(Source::Input(0)),
        Record::new(LayerKind::Dense, &[4, 3]).activation(ActivationKind::Softmax),
    ];
    let recipe = Recipe::<All>::new(&records)?;
    let mut parameters = vec![0.0; recipe.parameters()];
    recipe.init(&mut parameters, &mut Xoshiro128PlusPlus::seed_from_u64(1))?;
    let (mut ids, mut offsets) = (Vec::new(), vec![0]);
    for (text, _) in REQUESTS {
        ids.extend(TOKENIZER.ids_as::<u32>(text)?);
        offsets.push(ids.len() as u32);
    }
    let inputs = [Input::Bags { ids: &ids, offsets: &offsets }];
    let (optimizer, loss): (&dyn AnyOptimizer, _) = (&adam, AnyLoss::from(SparseCategoricalCrossEntropy));
    let size = BatchSize { examples: 4, ids_per_bag: 8 };
    let lengths = models::Trainer::lengths(recipe, optimizer, loss, size).ok_or("too large")?;
    let mut buffers = lengths.buffers();
    let mut trainer = models::Trainer::new(recipe, optimizer, loss, size, buffers.memory())?;
    let labels = Labels::classes(&labels);
    for _ in 0..EPOCHS {
        trainer.epoch(&mut parameters, &inputs, &labels, REQUESTS.len())?;
    }
    println!("as values   {}", trainer.evaluate(&parameters, &inputs, &labels, REQUESTS.len())?.loss);

    // The same bytes.
    let model = Model::new(recipe, &parameters)?;
    let mut image = vec![0; model.shipped_size(RowFormat::F32)];
    model.ship(RowFormat::F32, &mut image)?;
    assert_eq!(image, image::to_vec(&typed));

    // Shipped with rows of 8 bits, the names of the classes, and how text becomes ids.
    let pipeline = TOKENIZER.pipeline(0)?;
    let mut pipeline_bytes = vec![0; pipeline.encoded_size()];
    pipeline.write(&mut pipeline_bytes)?;
    let contents = Contents {
        classes: &CLASSES,
        threshold: 0.6,
        pipeline: Some(&pipeline_bytes),
        ..Contents::default()
    };
    let mut image = vec![0; model.shipped_size_with(RowFormat::U8, &contents)];
    model.ship_with(RowFormat::U8, &contents, &mut image)?;
    assert_eq!(image, models::ship(&typed, RowFormat::U8, &contents)?);
    println!("image       {} bytes\n", image.len());

    // Opened without the type.
    let classifier = Classifier::new(models::open::<All>(&image)?)?;
    let mut buffers = classifier.model().recipe().workspace(1).ok_or("too large")?.buffers();
    for text in ["rain in Rome?", "play jazz, please", "a restaurant for two", "what?"] {
        match classifier.classify(text, &mut [0; 32], &mut buffers.workspace())? {
            Some(answer) => println!("{text:<22} {} ({:.2})", answer.name, answer.probability),
            None => println!("{text:<22} none of these"),
        }
    }
    Ok(())
}
